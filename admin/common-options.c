#include "common-options.h"

#include <getopt.h>
#include <sysexits.h>

#include "date-option.h"

int common_options_read(int argc, char **argv, struct common_options *options_r)
{
	enum { OPTION_AT = 256 };
	static const struct option names[] = {{"at", required_argument, NULL, OPTION_AT},
					      {"json", no_argument, NULL, 'j'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int option;

	*options_r = (struct common_options){.at = time(NULL)};
	while ((option = getopt_long(argc, argv, "jh", names, NULL)) != -1) {
		switch (option) {
		case OPTION_AT:
			if (!date_option(argv[0], "at", optarg, &options_r->at))
				return EX_USAGE;
			break;
		case 'j':
			options_r->json = true;
			break;
		case 'h':
			options_r->help = true;
			break;
		default:
			return EX_USAGE;
		}
	}
	return 0;
}
