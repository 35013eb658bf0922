/* The program that every supervisor in the benchmark runs: `tiny FILE` notes in FILE its pid and the
 * time of its first instruction (CLOCK_MONOTONIC, nanoseconds), then sleeps until it is killed. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec now;
	char note[64];
	int file, length;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (argc != 2)
		return 2;
	length = snprintf(note, sizeof note, "%ld %lld\n", (long)getpid(),
			  (long long)now.tv_sec * 1000000000LL + now.tv_nsec);
	file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (file < 0 || write(file, note, (size_t)length) != length || close(file) != 0)
		return 1;
	for (;;)
		pause();
}
