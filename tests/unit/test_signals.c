/* SPDX-License-Identifier: Apache-2.0 */
/* Signals of the launcher: held back during a run, the caller's again afterwards. A loop is ended by the time limit of the test. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/run.h"

static volatile sig_atomic_t calls;

static const struct plan plan; /* nothing in it asks for anything */

static void count(int signal)
{
	(void)signal;
	calls++;
}

static void a_signal_that_came_too_late_is_raised_once(void **state)
{
	struct run run = { .plan = &plan, .signals = -1 };

	(void)state;
	signal(SIGUSR1, count);
	assert_true(signals_block(&run) >= 0);
	kill(getpid(), SIGUSR1);
	assert_int_equal(calls, 0);
	signals_restore(&run);
	assert_int_equal(calls, 1);
}

static void a_request_to_end_interrupts_set_up(void **state)
{
	struct run run = { .plan = &plan, .signals = -1 };

	(void)state;
	assert_true(signals_block(&run) >= 0);
	kill(getpid(), SIGUSR1);
	assert_int_equal(signals_interrupt(&run), 0);
	assert_true(run.early_signals >> (SIGUSR1 - 1) & 1);
	kill(getpid(), SIGTERM);
	assert_true(signals_interrupt(&run) < 0);
	assert_int_equal(run.interruption, SIGTERM);
	signals_restore(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_that_came_too_late_is_raised_once),
		cmocka_unit_test(a_request_to_end_interrupts_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
