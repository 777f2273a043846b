/* SPDX-License-Identifier: Apache-2.0 */
/* An honest program to be compiled inside: counts the primes below a number read from standard input. */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	unsigned long limit, count = 0;
	char *composite;

	if (scanf("%lu", &limit) != 1 || limit > 100000000 || !(composite = calloc(limit + 1, 1)))
		return 1;
	for (unsigned long n = 2; n < limit; n++) {
		count += !composite[n];
		for (unsigned long multiple = n * n; !composite[n] && multiple < limit; multiple += n)
			composite[multiple] = 1;
	}
	printf("primes below %lu: %lu\n", limit, count);
	free(composite);
	return 0;
}
