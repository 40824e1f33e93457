#ifndef PORTCULLIS_COMMAND_H
#define PORTCULLIS_COMMAND_H

/* Exit status of a command whose answer is no; from 64 up stands sysexits.h. */
#define EXIT_NO 1

/* Commands of portcullis(1). Each reads its own options; argv[0] is its name.
   They return the exit status. */
int check_config_command(const char *config_path, int argc, char **argv);
int announce_command(const char *config_path, int argc, char **argv);
int explain_command(const char *config_path, int argc, char **argv);
int survey_command(const char *config_path, int argc, char **argv);
int offenders_command(const char *config_path, int argc, char **argv);
int forecast_command(const char *config_path, int argc, char **argv);
int status_command(const char *config_path, int argc, char **argv);
int doctor_command(const char *config_path, int argc, char **argv);
int user_command(const char *config_path, int argc, char **argv);
int exempt_command(const char *config_path, int argc, char **argv);
int notify_command(const char *config_path, int argc, char **argv);
int notices_command(const char *config_path, int argc, char **argv);
int import_command(const char *config_path, int argc, char **argv);
int store_command(const char *config_path, int argc, char **argv);
int forget_command(const char *config_path, int argc, char **argv);

#endif
