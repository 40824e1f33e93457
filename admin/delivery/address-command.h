#ifndef PORTCULLIS_ADDRESS_COMMAND_H
#define PORTCULLIS_ADDRESS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* The command of address-map: a program that answers each line of its input with a line
   of its output. */
struct address_command;

/* The path is borrowed. It is started with the first question, and from then on the
   process ignores SIGPIPE. */
struct address_command *address_command_create(const char *path);
/* Ends its input, and with that the command; one that goes on for more than ten seconds
   is killed. */
void address_command_free(struct address_command *command);

/* Asks a question, which has no line break, and waits for the answer, a minute at most
   until more of it comes. False, with *error_r a static text, when there is none, or it is more than one line
   or than size bytes; then the command is not asked again, for its answers may be out
   of step. */
bool address_command_ask(struct address_command *command, const char *question, char *answer_r,
			 size_t size, const char **error_r);

#endif
