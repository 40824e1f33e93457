#ifndef PORTCULLIS_MAIL_PROGRAM_H
#define PORTCULLIS_MAIL_PROGRAM_H

/* Programs that the texts have steps for. */
enum mail_program {
	MAIL_PROGRAM_THUNDERBIRD,
	MAIL_PROGRAM_OUTLOOK,
	MAIL_PROGRAM_IPHONE,
	MAIL_PROGRAM_MAC,
	MAIL_PROGRAM_GMAIL,
	MAIL_PROGRAM_SAMSUNG,
	MAIL_PROGRAM_K9, /* and Thunderbird for Android, which came from it */
	MAIL_PROGRAM_GENERAL,
	MAIL_PROGRAM_COUNT
};

/* What program says this of itself (IMAP ID, RFC 2971, as the journal has it:
   "name=Thunderbird version=115.3"). */
enum mail_program mail_program_of(const char *client_id);

/* The section of the texts with its steps: "steps-thunderbird". */
const char *mail_program_steps(enum mail_program program);

/* Its name and version for the operator: "Thunderbird 115.3". When it tells none, or
   something that is no name, it is our name for the program, or NULL. Harmless; the caller
   frees it with g_free(). */
char *mail_program_name(const char *client_id);

/* The same without its version: a newer one is the same program. */
char *mail_program_versionless(const char *client_id);

/* Name and version for a mail of ours: a program may call itself what it likes, and what it said
   would look as if we had. So a name that is spelled like one we know, or else nothing of
   it but ASCII letters, digits and dots, at most 24, and no link. The caller frees it with
   g_free(). */
char *mail_program_label(const char *client_id);

#endif
