/* SPDX-License-Identifier: Apache-2.0 */
/* The executable immure-capejail. */
#include "compat/capejail.h"

int main(int argc, char *argv[])
{
	return capejail_main(argc, argv);
}
