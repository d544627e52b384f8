/* Reads registers of one slave over one connection with libmodbus and prints what the other load programs print.
 * usage: libmodbus-client PORT REGISTERS WARM_SECONDS SECONDS */
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define KEPT 65536

static float latency_us[KEPT];

static double now_s(void) {
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec + at.tv_nsec * 1e-9;
}

static double cpu_s(void) {
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

static int by_size(const void *a, const void *b) {
	float left = *(const float *)a, right = *(const float *)b;
	return left < right ? -1 : left > right;
}

static long ask_for(modbus_t *line, int registers, double seconds) {
	uint16_t words[MODBUS_MAX_READ_REGISTERS];
	long requests = 0;
	double end = now_s() + seconds, sent = now_s();
	while (sent < end) {
		if (modbus_read_registers(line, 0, registers, words) != registers || words[registers - 1] != registers - 1) exit(2);
		double answered = now_s();
		latency_us[requests++ % KEPT] = (answered - sent) * 1e6;
		sent = answered;
	}
	return requests;
}

int main(int argc, char **argv) {
	if (argc != 5) return 64;
	int registers = atoi(argv[2]);
	modbus_t *line = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
	modbus_set_slave(line, 1);
	if (modbus_connect(line) != 0) return 1;
	ask_for(line, registers, atof(argv[3]));
	double cpu_before = cpu_s(), before = now_s();
	long requests = ask_for(line, registers, atof(argv[4]));
	double cpu = cpu_s() - cpu_before, seconds = now_s() - before;
	long kept = requests < KEPT ? requests : KEPT;
	qsort(latency_us, kept, sizeof *latency_us, by_size);
	printf("{\"requests_per_s\":%.1f,\"cpu_us\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n", requests / seconds,
		cpu * 1e6 / requests, latency_us[kept / 2], latency_us[kept * 99 / 100]);
	return 0;
}
