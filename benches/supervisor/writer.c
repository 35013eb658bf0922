/* The program of the log benchmark: `writer FILE MEGABYTES` notes in FILE its pid and the time, as
 * tiny does. At each SIGUSR1 it writes that many megabytes (10^6 bytes) to stdout as fast as they are
 * taken: lines of 100 bytes that begin with their number, from 0, in 12 digits. It never ends by
 * itself, so that no supervisor has an end to deal with. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DIGITS 12
#define LINE 100
#define LINES 640 /* 64,000 bytes a call, nearly what a pipe holds */

/* Adds one to a decimal number. */
static void count_up(char *number)
{
	int digit = DIGITS - 1;

	while (digit >= 0 && number[digit] == '9')
		number[digit--] = '0';
	if (digit >= 0)
		number[digit]++;
}

/* Writes all of it, or fails. */
static int put(int file, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t done = write(file, bytes, length);
		if (done <= 0)
			return 0;
		bytes += done;
		length -= (size_t)done;
	}
	return 1;
}

int main(int argc, char **argv)
{
	static char block[LINES * LINE];
	char line[LINE], note[64];
	struct timespec now;
	long long left;
	int file, got, length;
	sigset_t go;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (argc != 3)
		return 2;
	/* Blocked before the note is there: whoever has read it may signal at once. */
	sigemptyset(&go);
	sigaddset(&go, SIGUSR1);
	sigprocmask(SIG_BLOCK, &go, NULL);
	length = snprintf(note, sizeof note, "%ld %lld\n", (long)getpid(),
			  (long long)now.tv_sec * 1000000000LL + now.tv_nsec);
	file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (file < 0 || !put(file, note, (size_t)length) || close(file) != 0)
		return 1;
	memset(line, 'x', LINE);
	memset(line, '0', DIGITS);
	line[DIGITS] = ' ';
	line[LINE - 1] = '\n';
	while (sigwait(&go, &got) == 0) {
		for (left = atoll(argv[2]) * (1000000 / LINE); left > 0;) {
			int lines = left < LINES ? (int)left : LINES, number;

			for (number = 0; number < lines; number++) {
				memcpy(block + number * LINE, line, LINE);
				count_up(line);
			}
			if (!put(1, block, (size_t)lines * LINE))
				return 1;
			left -= lines;
		}
	}
	return 1;
}
