-- Who may do what with a store of Portcullis. Once, as the superuser, in a database that is
-- Portcullis' alone:
--
--	createdb -E UTF8 -T template0 portcullis
--	psql -d portcullis -f roles.sql
--
-- Then 'portcullis store create', as the owner, makes the tables and says who may use them.
--
-- The three have no passwords here. On the same machine, pg_hba.conf and pg_ident.conf map
-- accounts to them:
--
--	local    portcullis  all  peer map=portcullis
--	portcullis  portcullis  portcullis_operator
--
-- Over the network, each gets one by \password, which the hosts keep in a passfile
-- (/var/lib/portcullis/.pgpass, mode 600, the account's), or a client certificate. Never write
-- one into portcullis.conf:
--
--	hostssl  portcullis  all  192.0.2.0/24  scram-sha-256

-- Makes the tables, and brings them up to date: 'portcullis store'. Nobody works as this one.
CREATE ROLE portcullis_owner LOGIN CONNECTION LIMIT 5;

-- The import service of each host: adds to what is recorded. It deletes nothing, and cannot read
-- what people were told. It reads the exemptions that hosts share, and adds those that its host
-- had before, once; it changes none. Where you can, give each host a role of its own, which you
-- can take away from it alone: CREATE ROLE mx1 LOGIN IN ROLE portcullis_writer
CREATE ROLE portcullis_writer LOGIN;

-- Questions, notices, exemptions, 'forget', and 'portcullis store expire', which a timer should
-- run every day: it erases what is older than the configuration keeps.
CREATE ROLE portcullis_operator LOGIN;

CREATE SCHEMA portcullis AUTHORIZATION portcullis_owner;
GRANT USAGE ON SCHEMA portcullis TO portcullis_writer, portcullis_operator;

-- Others of this server have no business here.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
DO $$
BEGIN
	EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO portcullis_owner, portcullis_writer,'
		' portcullis_operator', current_database());
	EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO portcullis_operator',
		current_database());
END
$$;
