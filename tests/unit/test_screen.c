/* SPDX-License-Identifier: Apache-2.0 */
/* What a jail wrote and a terminal is shown: text and colours, and nothing that the terminal would obey otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/screen.h"

/* In pieces of PIECE bytes. */
static void show(const char *text, size_t size, size_t piece, char shown[512])
{
	FILE *out = fmemopen(shown, 512, "w");
	struct screen screen = { 0 };

	assert_non_null(out);
	for (size_t at = 0; at < size; at += piece)
		screen_write(&screen, out, text + at, size - at < piece ? size - at : piece);
	screen_end(&screen, out);
	fputc('\0', out);
	fclose(out);
}

/* However it is cut. */
static void must_be(const char *text, const char *expected)
{
	const size_t size = strlen(text);

	for (size_t piece = 1; piece <= size + 1; piece++) {
		char shown[512] = "";

		show(text, size, piece, shown);
		assert_string_equal(shown, expected);
	}
}

static void text_passes(void **state)
{
	(void)state;
	must_be("", "");
	must_be("plain\ttext\nzażółć 日本 🎉\n", "plain\ttext\nzażółć 日本 🎉\n");
	must_be("a terminal's line\r\n", "a terminal's line\r\n");
}

static void colours_pass_and_do_not_stay(void **state)
{
	(void)state;
	must_be("\033[1;31mred\033[m", "\033[1;31mred\033[m\033[0m");
	must_be("\033[38:2::1:2:3mx", "\033[38:2::1:2:3mx\033[0m");
}

static void what_a_terminal_obeys_is_shown(void **state)
{
	(void)state;
	must_be("\033]0;title\a", "^[]0;title^G");
	must_be("\033[2J\033[1;1H\033[6n\033c\033Pq\033\\", "^[[2J^[[1;1H^[[6n^[c^[Pq^[\\");
	must_be("hidden\rshown", "hidden^Mshown");
	must_be("\r\r\n", "^M\r\n");
	must_be("a\b\x7f", "a^H^?");
	must_be("\033[31\033[2J", "^[[31^[[2J");
	must_be("\033\033[31m", "^[\033[31m\033[0m");
	must_be("\033[1\r\033]x\a", "^[[1^M^[]x^G");
	must_be("\033[1111111111111111111111111m", "^[[1111111111111111111111111m");
}

static void the_second_set_of_controls_is_shown(void **state)
{
	(void)state;
	must_be("\xc2\x9b" "2J\xc2\xa0", "\\xc2\\x9b2J\xc2\xa0");
	must_be("\x9b" "2J", "\\x9b2J");
	must_be("\xe2\x9b", "\\xe2\\x9b");
	must_be("\xe2\x9b\x1b[2J", "\\xe2\\x9b^[[2J");
	must_be("\xc0\x9b\xed\xa0\x80\xf4\x90\x80\x80\xff", "\\xc0\\x9b\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_passes),
		cmocka_unit_test(colours_pass_and_do_not_stay),
		cmocka_unit_test(what_a_terminal_obeys_is_shown),
		cmocka_unit_test(the_second_set_of_controls_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
