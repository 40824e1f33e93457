#ifndef PORTCULLIS_STORE_LIMITS_H
#define PORTCULLIS_STORE_LIMITS_H

/* Anybody can type names, and say what his program is called; nothing that a
   stranger sends may let a store grow without end. So of what is not verified

   - only so many names are kept that were never verified; further ones are
     counted as nobody's,
   - only so many rows a name; further ones are counted without the program, and
     then as nobody's,
   - a program that nobody verified uses is told apart only while there are few
     habits.

   A verified user who calls his program something new each time gets only so
   many rows, too; further ones are counted without the program. What is counted
   without it leaves no habit and no text behind. */
#define UNVERIFIED_USERS_MAX 100000
#define UNVERIFIED_ROWS_MAX 32
#define VERIFIED_ROWS_MAX 256
#define HABITS_MAX 65536
/* Clients without login share the name "", and the operator wants to see them. */
#define NAMELESS_ROWS_MAX 4096

#endif
