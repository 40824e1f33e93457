#ifndef PORTCULLIS_DEVICE_NAME_H
#define PORTCULLIS_DEVICE_NAME_H

/* What tells a program from others of the same person, by what it said of itself: by the
   ID command ("name=Thunderbird version=115.3"), or as the HELO name of SMTP
   ("DESKTOP-33C70B8"). Equal for all its versions; not fit to be shown. NULL when that
   tells it from no other: it said nothing, or that it is localhost or has some address.
   The caller frees it with g_free(). */
char *device_name(const char *client_id);

/* What a mail of ours calls it: as mail_program_label() has it, or of a HELO name what stands
   before the first dot, of which ASCII letters, digits and the first hyphen are shown, at most
   24. NULL where it has no name. The caller frees it with g_free(). */
char *device_label(const char *client_id);

#endif
