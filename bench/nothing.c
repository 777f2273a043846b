/* SPDX-License-Identifier: Apache-2.0 */
/* Ends at once, so that what is measured is what comes before; with an argument it waits for ever. */
#include <unistd.h>

int main(int argc, char **argv)
{
	(void)argv;
	while (argc > 1)
		pause();
	return 0;
}
