#ifndef PORTCULLIS_CONFIG_PARSER_H
#define PORTCULLIS_CONFIG_PARSER_H

#include "config-problems.h"
#include "config-tree.h"

/* A configuration as it stands in the file. */
struct config_tree {
	struct config_section *top;
	char *words; /* its texts */
};

/* Reads a text of statements:

       KEY = VALUE   KEY = { VALUE, ... }   KEY += ...   NAME TITLE { ... }   NAME { ... }

   into a tree of what the options of file let stand there, and reports all else. It
   goes on with the next statement where one is malformed. False when it cannot tell
   where that is, or memory is out: the tree is not worth reading then. Recursion is
   not deeper than the tables of options. The caller calls config_tree_free() in any
   case. Options are borrowed. */
bool config_parse(struct config_tree *tree_r, const char *text, const struct config_option *file,
		  struct config_problems *problems);
void config_tree_free(struct config_tree *tree);

#endif
