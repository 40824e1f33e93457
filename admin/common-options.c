#include "common-options.h"

#include <stddef.h>

#include "command-options.h"

int common_options_read(int argc, char **argv, struct common_options *options_r)
{
	const struct command_option options[] = {{.name = "at", .date = &options_r->at},
						 {"json", 'j', .flag = &options_r->json},
						 {"help", 'h', .flag = &options_r->help},
						 {0}};

	*options_r = (struct common_options){.at = time(NULL)};
	return command_options_read(argc, argv, options);
}
