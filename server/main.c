/* signetd: the relay. Commands and their options as one table; help is printed from it. */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/command.h"

static const struct command *const commands[] = {
    &command_init, &command_run, &command_invite, &command_backup, &command_check_config};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const struct option options[] = {
    {"data", required_argument, NULL, 'd'},
    {"name", required_argument, NULL, 'n'},
    {"listen", required_argument, NULL, 'l'},
    {"threads", required_argument, NULL, 't'},
    {"config", required_argument, NULL, 'c'},
    {"uses", required_argument, NULL, 'u'},
    {"expires", required_argument, NULL, 'e'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static int print_help(void)
{
    (void)printf("usage: signetd COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        (void)printf("  signetd %s %s\n        %s\n", commands[i]->name, commands[i]->usage,
            commands[i]->summary);
    (void)printf("\n  signetd --help | --version\n\n"
                 "DURATION is a number and s, m, h or d: 30m, 12h, 7d.\n"
                 "Exit codes: 0 done, 1 failed, 2 wrong usage.\n");
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int print_version(void)
{
    (void)printf("signetd %s\n", SIGNET_VERSION);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* --help or --version; `word` is the command, or NULL. */
static int tell(int option, const char *word)
{
    if (word != NULL && find(word) == NULL)
        return complain(EXIT_USAGE, "no command \"%s\"; see signetd --help", word);
    return option == 'h' ? print_help() : print_version();
}

/* Where an option's value goes. */
static const char **slot(struct arguments *arguments, int option)
{
    switch (option) {
    case 'd': return &arguments->data;
    case 'n': return &arguments->name;
    case 'l': return &arguments->listen;
    case 't': return &arguments->threads;
    case 'c': return &arguments->config;
    case 'u': return &arguments->uses;
    case 'e': return &arguments->expires;
    default: return NULL;
    }
}

static bool takes(const struct command *command, const char *option)
{
    char word[32];

    (void)snprintf(word, sizeof(word), " %s ", option);
    return strstr(command->options, word) != NULL;
}

/* The words behind the options: the command, and for some a file. */
static int run_words(char **words, int count, unsigned given, struct arguments *arguments)
{
    const struct command *command;

    if (count == 0)
        return complain(EXIT_USAGE, "no command given; see signetd --help");
    command = find(words[0]);
    if (command == NULL)
        return complain(EXIT_USAGE, "no command \"%s\"; see signetd --help", words[0]);
    for (unsigned i = 0; options[i].name != NULL; i++)
        if ((given & 1U << i) != 0 && !takes(command, options[i].name))
            return complain(
                EXIT_USAGE, "%s takes no --%s; see signetd --help", command->name, options[i].name);
    if (count > (command->needs_file ? 2 : 1))
        return complain(EXIT_USAGE, "%s: \"%s\" is too much; see signetd --help", command->name,
            words[command->needs_file ? 2 : 1]);
    if (command->needs_file && count < 2)
        return complain(EXIT_USAGE, "%s needs a FILE", command->name);
    if (takes(command, "data") && arguments->data == NULL)
        return complain(EXIT_USAGE, "%s needs --data DIR", command->name);
    arguments->file = command->needs_file ? words[1] : NULL;
    return command->run(arguments);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    unsigned given = 0;
    int option, told = 0, index = 0;

    (void)setlocale(LC_ALL, "C"); /* what is written and read does not depend on where */
    (void)umask(077);
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, &index)) != -1) {
        if (option == ':')
            return complain(EXIT_USAGE, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return complain(EXIT_USAGE, "no option \"%s\"; see signetd --help", argv[optind - 1]);
        if (option == 'h' || option == 'V')
            told = told == 0 ? option : told;
        else
            *slot(&arguments, option) = optarg;
        given |= 1U << index;
    }
    if (told != 0)
        return tell(told, argv[optind]);
    return run_words(argv + optind, argc - optind, given, &arguments);
}
