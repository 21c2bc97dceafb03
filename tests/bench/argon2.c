/*
 * argon2.c - the raw primitive: how many Argon2id hashes a second, and nothing around them.
 *
 *	argon2 THREADS SECONDS KIB PASSES
 */
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static atomic_bool stop;
static atomic_ulong hashes;
static size_t memory;
static unsigned long long passes;

static void *hash(void *unused)
{
	char stored[crypto_pwhash_STRBYTES];

	if (crypto_pwhash_str_alg(
		    stored, "a quiet harbour", 15, passes, memory, crypto_pwhash_ALG_ARGON2ID13))
		exit(1);
	while (!stop) {
		if (crypto_pwhash_str_verify(stored, "a quiet harbour", 15))
			exit(1);
		hashes++;
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[16];

	if (argc != 5 || sodium_init() < 0)
		return 64;
	long n = strtol(argv[1], NULL, 10), seconds = strtol(argv[2], NULL, 10);
	memory = (size_t)strtol(argv[3], NULL, 10) * 1024;
	passes = (unsigned long long)strtol(argv[4], NULL, 10);
	if (n < 1 || n > 16)
		return 64;
	for (long i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, hash, NULL))
			return 1;
	nanosleep(&(struct timespec){ .tv_sec = seconds }, NULL);
	unsigned long done = hashes;
	stop = true;
	for (long i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	printf("%.2f\n", (double)done / (double)seconds);
	return 0;
}
