/*
 * mysql_schema.c - the schema files for MariaDB.
 *
 * A script is read word by word. What is between two words, comments and quoted texts with it, is
 * passed on as it is.
 */
#include "store/sql/mysql_schema.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#include "base/banned.h"

static const size_t script_ceiling = 256 * KIB;

/* ---- types ---- */

static bool is_word(char c)
{
	return ascii_alnum(c) || c == '_';
}

static pt_str last_word(pt_str text)
{
	size_t from;

	while (text.n > 0 && !is_word(text.p[text.n - 1]))
		text.n--;
	for (from = text.n; from > 0 && is_word(text.p[from - 1]); from--)
		;
	return str_slice(text, from, text.n);
}

const char *mysql_schema_type(pt_str before, const char *type)
{
	static const struct {
		const char *column, *type, *instead;
	} keys[] = {
		{ "id", "MEDIUMTEXT", "VARCHAR(255)" },
		{ "tenant", "MEDIUMTEXT", "VARCHAR(255)" },
		{ "audience", "MEDIUMTEXT", "VARCHAR(255)" },
		{ "username_key", "MEDIUMTEXT", "VARCHAR(255)" },
		{ "email_key", "MEDIUMTEXT", "VARCHAR(255)" },
		{ "account", "MEDIUMTEXT", "VARCHAR(255)" },
		{ "family", "MEDIUMTEXT", "VARCHAR(255)" },
		{ "hash", "LONGBLOB", "VARBINARY(255)" },
		{ "subject", "LONGBLOB", "VARBINARY(255)" },
	};
	pt_str column = last_word(before);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (str_eq(column, str(keys[i].column)) && strcmp(type, keys[i].type) == 0)
			return keys[i].instead;
	}
	return type;
}

/* ---- statements ---- */

/* What stands between two words: punctuation, a whole comment, a whole quoted text. */
static size_t gap_length(pt_str text)
{
	char c = text.p[0];
	size_t end;

	if (c == '-' && text.n > 1 && text.p[1] == '-')
		return str_find(text, '\n');
	if (c != '\'')
		return 1;
	end = 1 + str_find(str_slice(text, 1, text.n), '\'');
	return end < text.n ? end + 1 : text.n;
}

static size_t word_length(pt_str text)
{
	size_t n = 0;

	while (n < text.n && is_word(text.p[n]))
		n++;
	return n;
}

/* The last words of a statement, the newest first; enough to know what it makes. */
struct words {
	pt_str word[3];
	bool makes_index;
};

static void words_add(struct words *words, pt_str word)
{
	words->word[2] = words->word[1];
	words->word[1] = words->word[0];
	words->word[0] = word;
}

static bool were(const struct words *words, const char *first, const char *then)
{
	return str_eq(words->word[1], str(first)) && str_eq(words->word[0], str(then));
}

/* CREATE TABLE, CREATE [UNIQUE] INDEX, ADD COLUMN: IF NOT EXISTS comes next. */
static bool makes(const struct words *words)
{
	return were(words, "CREATE", "TABLE") || were(words, "CREATE", "INDEX") ||
	       were(words, "UNIQUE", "INDEX") || were(words, "ADD", "COLUMN");
}

pt_err mysql_schema(pt_arena *arena, pt_str script, pt_str *out)
{
	struct buf b = BUF(arena, script_ceiling);
	struct words words = { 0 };

	while (script.n > 0) {
		size_t n = word_length(script);
		pt_str word = str_slice(script, 0, n);

		if (n == 0) {
			n = gap_length(script);
			buf_str(&b, str_slice(script, 0, n));
			if (script.p[0] == ';')
				words = (struct words){ 0 };
		} else if (words.makes_index && str_eq(word, PT_STR("WHERE"))) {
			n = str_find(script, ';');
		} else {
			if (makes(&words) && !str_eq(word, PT_STR("IF")))
				buf_str(&b, PT_STR("IF NOT EXISTS "));
			buf_str(&b, word);
			words_add(&words, word);
			words.makes_index |= str_eq(word, PT_STR("INDEX"));
		}
		script = str_slice(script, n, script.n);
	}
	return buf_done(&b, out);
}
