/*
 * A serial line with one Modbus RTU slave on it, behind a pseudo-terminal: bytes arrive as a line of the given rate would bring
 * them, in the 16-byte pieces in which a UART hands them over.
 *
 * usage: rtu-line BAUD BITS_PER_CHAR PIECE
 * Prints the path of the terminal; at the end of its input one line: answers, requests that came too early after an answer, least
 * silence before a request in microseconds. Register n holds n.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_BYTES 8
#define MOST_REGISTERS 125
/* The clock of the line: a request seen so little too early was not early. */
#define TOLERANCE_NS 60000

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_until(int64_t at_ns)
{
	struct timespec t = { .tv_sec = at_ns / 1000000000, .tv_nsec = at_ns % 1000000000 };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static uint16_t crc16(const uint8_t *bytes, int count)
{
	uint16_t crc = 0xffff;
	for (int i = 0; i < count; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
	}
	return crc;
}

static int answer_to(const uint8_t *request, uint8_t *answer)
{
	int address = request[2] << 8 | request[3];
	int count = request[4] << 8 | request[5];
	if (count > MOST_REGISTERS)
		count = MOST_REGISTERS;
	answer[0] = request[0];
	answer[1] = request[1];
	answer[2] = (uint8_t)(2 * count);
	for (int i = 0; i < count; i++) {
		answer[3 + 2 * i] = (uint8_t)((address + i) >> 8);
		answer[4 + 2 * i] = (uint8_t)(address + i);
	}
	uint16_t crc = crc16(answer, 3 + 2 * count);
	answer[3 + 2 * count] = (uint8_t)crc;
	answer[4 + 2 * count] = (uint8_t)(crc >> 8);
	return 5 + 2 * count;
}

static int open_terminal(void)
{
	int line = posix_openpt(O_RDWR | O_NOCTTY);
	if (line < 0 || grantpt(line) < 0 || unlockpt(line) < 0)
		return -1;
	struct termios raw;
	tcgetattr(line, &raw);
	cfmakeraw(&raw);
	tcsetattr(line, TCSANOW, &raw);
	printf("%s\n", ptsname(line));
	fflush(stdout);
	return line;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 64;
	int64_t char_ns = (int64_t)(1e9 * atof(argv[2]) / atof(argv[1]));
	int64_t gap_ns = atoi(argv[1]) > 19200 ? 1750000 : char_ns * 7 / 2;
	int piece = atoi(argv[3]);
	int line = open_terminal();
	if (line < 0)
		return 71;
	/* The terminal stays open between two programs that use it. */
	int keep = open(ptsname(line), O_RDWR | O_NOCTTY);
	long answers = 0, early = 0;
	int64_t silent_from = 0, least_ns = INT64_MAX, began = 0;
	uint8_t request[REQUEST_BYTES], answer[5 + 2 * MOST_REGISTERS];
	int has = 0;
	for (;;) {
		struct pollfd watched[2] = { { .fd = line, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
		poll(watched, 2, -1);
		if (watched[1].revents != 0)
			break;
		int64_t heard = now_ns();
		ssize_t got = read(line, request + has, (size_t)(REQUEST_BYTES - has));
		if (got <= 0)
			continue;
		if (has == 0) {
			began = heard;
			if (silent_from != 0) {
				int64_t silence = heard - silent_from;
				if (silence < least_ns)
					least_ns = silence;
				if (silence < gap_ns - TOLERANCE_NS)
					early++;
			}
		}
		has += (int)got;
		if (has < REQUEST_BYTES)
			continue;
		has = 0;
		int length = answer_to(request, answer);
		int64_t first = began + REQUEST_BYTES * char_ns + gap_ns;
		for (int sent = 0; sent < length;) {
			int next = length - sent < piece ? length - sent : piece;
			sleep_until(first + (sent + next) * char_ns);
			if (write(line, answer + sent, (size_t)next) != next)
				return 74;
			sent += next;
		}
		silent_from = first + length * char_ns;
		answers++;
	}
	printf("%ld %ld %ld\n", answers, early, answers > 1 ? (long)(least_ns / 1000) : 0);
	fflush(stdout);
	close(keep);
	return 0;
}
