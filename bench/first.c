/* SPDX-License-Identifier: Apache-2.0 */
/* The first thing that a program can do: its byte tells that the jail has started it. */
#include <unistd.h>

int main(void)
{
	return write(1, "!", 1) != 1;
}
