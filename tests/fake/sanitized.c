/* SPDX-License-Identifier: Apache-2.0 */
/* Linked into every executable of a sanitized build: a keeper has neither an environment nor a terminal, so its reports go to files. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0:log_path=" REPORTS "/report";
}

const char *__ubsan_default_options(void)
{
	return "halt_on_error=1:print_stacktrace=1:log_path=" REPORTS "/report";
}
