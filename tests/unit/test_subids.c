/* SPDX-License-Identifier: Apache-2.0 */
/* subuid(5) is read strictly: what is not exactly a range of existing ids is passed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/subids.h"

static struct sub_range find(const char *text)
{
	return subids_find(text, strlen(text), "worker", 1000);
}

static void the_range_of_a_name_or_number_is_found(void **state)
{
	(void)state;
	assert_int_equal(find("other:1:5\nworker:100000:65536\n").first, 100000);
	assert_int_equal(find("1000:200000:10").count, 10);
	assert_int_equal(find("worker:100000:10\nworker:300000:65536\n").first, 300000);
}

static void what_is_no_range_is_passed_over(void **state)
{
	static const char *const wrong[] = {
		"", "\n\n", "worker", "worker:1", "worker:1:", "worker::5", "worker:0:5", "worker:5:0", "worker:-1:5", "worker:+1:5",
		"worker: 1:5", "worker:1:5 ", "worker:0x10:5", "worker:4294967295:1", "worker:4294967000:1000", "worker:1:4294967295",
		"worker:99999999999:1", "worker:1:5:6", "worke:1:5", "workers:1:5", "01000x:1:5", ":1:5",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(find(wrong[i]).count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_range_of_a_name_or_number_is_found), cmocka_unit_test(what_is_no_range_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
