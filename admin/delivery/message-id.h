#ifndef PORTCULLIS_MESSAGE_ID_H
#define PORTCULLIS_MESSAGE_ID_H

/* Room for message_id_make(). */
#define MESSAGE_ID_SIZE 384

/* Makes a new Message-ID (RFC 5322, 3.6.4) without its angle brackets: 128 random
   bits, and the domain of the sender's address, or localhost where it has none. */
void message_id_make(const char *from, char message_id_r[static MESSAGE_ID_SIZE]);

#endif
