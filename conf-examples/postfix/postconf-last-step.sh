#!/bin/sh
# The last step, when encryption and submission-port have been enforced for a
# while and nobody is rejected any more. portcullis-policyd stops mail, not a
# password on its way in clear: from here on Postfix does not even offer a login
# without TLS, nor any on port 25. What is turned away so is not recorded.
#
# Run it as root, then "postfix reload".
set -eu

postconf -e 'smtpd_tls_auth_only = yes'
postconf -P 'smtp/inet/smtpd_sasl_auth_enable=no'
