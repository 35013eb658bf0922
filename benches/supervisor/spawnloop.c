/* The baseline for starting: `spawnloop COUNT FOLDER PROGRAM` starts `PROGRAM FOLDER/<number>` COUNT
 * times with posix_spawn, one call after the other, and then sleeps until it is killed. */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	long count, number;

	if (argc != 4)
		return 2;
	signal(SIGCHLD, SIG_IGN); /* nobody asks how they end */
	count = atol(argv[1]);
	for (number = 0; number < count; number++) {
		char file[4096];
		char *arguments[] = { argv[3], file, NULL };
		pid_t pid;

		if (snprintf(file, sizeof file, "%s/%ld", argv[2], number) >= (int)sizeof file ||
		    posix_spawn(&pid, argv[3], NULL, NULL, arguments, environ) != 0) {
			perror("posix_spawn");
			return 1;
		}
	}
	for (;;)
		pause();
}
