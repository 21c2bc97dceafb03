/*
 * portress/base.h - the small values that every other header speaks in.
 *
 * A string is a borrowed view: a pointer and a length, never owned by the struct. A time is a
 * count of microseconds since 1970-01-01 UTC; zero means "not set". An outcome is an enum pt_err.
 *
 * Every public header compiles alone, as C99 and as C++11.
 */
#ifndef PORTRESS_BASE_H
#define PORTRESS_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PT_API   __attribute__((visibility("default")))
#define PT_CHECK __attribute__((warn_unused_result))
#else
#define PT_API
#define PT_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- strings ------------------------------------------------------------------------------ */

/* A view of n bytes. It may hold NUL bytes and need not end in one. p may be NULL when n is 0. */
typedef struct pt_str {
	const char *p;
	size_t n;
} pt_str;

/* The view of a string literal. */
#ifdef __cplusplus
#define PT_STR(literal)                         \
	pt_str                                  \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}
#else
#define PT_STR(literal) ((pt_str){ "" literal, sizeof(literal) - 1 })
#endif

/* The same, to initialise a static object with: C wants a plain brace list there. */
#define PT_STR_INIT(literal)                    \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}

/* ---- time --------------------------------------------------------------------------------- */

typedef int64_t pt_time;

#define PT_MILLISECOND ((pt_time)1000)
#define PT_SECOND      ((pt_time)1000000)
#define PT_MINUTE      (60 * PT_SECOND)
#define PT_HOUR        (60 * PT_MINUTE)
#define PT_DAY         (24 * PT_HOUR)

/* ---- identifiers -------------------------------------------------------------------------- */

/*
 * The name of a row: text, because a foreign users table may use integers or its own spelling.
 * Our own are UUIDv7 (RFC 9562) in lower-case canonical form. Always ends in NUL; "" is "none".
 */
struct pt_id {
	char text[64];
};

/* SHA-256 of a secret. Stores hold these, never the secret. */
struct pt_hash {
	uint8_t bytes[32];
};

/* ---- memory ------------------------------------------------------------------------------- */

/* Where a call's memory comes from. Everything is given back, wiped, when the call ends. */
typedef struct arena pt_arena;

/* n zeroed bytes that live as long as the arena; NULL when memory, or the arena's ceiling, is
 * reached. */
PT_API void *pt_arena_alloc(pt_arena *arena, size_t n);

/* ---- outcomes ----------------------------------------------------------------------------- */

/*
 * Zero is fine. Positive is a refusal: expected, named, part of the conversation. Negative is a
 * fault: ours, logged once where it is born and passed on untouched; it never lets anybody in.
 *
 * Switch over it without a default, so that a new refusal does not compile until it has words.
 */
typedef enum pt_err {
	PT_OK = 0,

	/* what was said is not acceptable */
	PT_E_MALFORMED = 1,   /* the input cannot be read at all */
	PT_E_USERNAME,        /* not a user name by the site's rule */
	PT_E_EMAIL,           /* not an e-mail address by the site's rule */
	PT_E_PASSWORD_SHORT,  /* fewer characters than the policy wants */
	PT_E_PASSWORD_LONG,   /* more than the policy, or the hash in use, can take whole */
	PT_E_PASSWORD_COMMON, /* on the blocklist, or made of the user's own names */
	PT_E_PASSWORD_BYTES,  /* holds NUL or is not UTF-8 */
	PT_E_GIVEN_NAME_LONG,
	PT_E_FAMILY_NAME_LONG,
	PT_E_NAMES_MISSING,    /* given and family name are required here */
	PT_E_CAPTCHA,          /* the human test was not passed, or could not be asked */
	PT_E_PASSWORD_MISSING, /* whoever was invited chooses a password now */
	PT_E_METADATA,         /* not a JSON object, or over PT_METADATA_MAX bytes */

	/* it may not be, now or at all */
	PT_E_TAKEN,          /* user name or address belongs to an account */
	PT_E_CREDENTIALS,    /* no such account, or not its password: nobody learns which */
	PT_E_UNVERIFIED,     /* right password, address not confirmed yet */
	PT_E_DISABLED,       /* right password, account switched off by an operator */
	PT_E_LIMITED,        /* too often; pt_call_retry_after says when to come back */
	PT_E_MAIL_LIMITED,   /* too many letters asked for; as above */
	PT_E_TICKET,         /* mailed secret unknown, spent, expired, or of another kind */
	PT_E_TICKET_EXPIRED, /* told apart only to who shows the secret itself */
	PT_E_SIGNUP_OFF,     /* nobody signs up here by himself */
	PT_E_FORBIDDEN,      /* who asks is known, and may not */
	PT_E_NOT_SIGNED_IN,
	PT_E_TOKEN_MISSING,   /* no access token where one is needed */
	PT_E_TOKEN,           /* access token not ours, altered or expired */
	PT_E_TOKEN_CLAIMS,    /* signature fine, claims unusable */
	PT_E_REFRESH,         /* refresh token unknown, expired or revoked */
	PT_E_REFRESH_EXPIRED, /* ... told apart where the refresh token is opaque */
	PT_E_REUSED,          /* spent refresh token outside the grace window: family revoked */
	PT_E_CSRF_MISSING,    /* no CSRF token in the request */
	PT_E_CSRF,            /* CSRF token or its cookie not valid */
	PT_E_ORIGIN,          /* request comes from another site */
	PT_E_REFERER_MISSING, /* https form post without Referer and Origin */
	PT_E_REFERER,         /* Referer of another site */
	PT_E_CROSS_SITE,      /* a cross-site GET asked for something that only its owner may ask */

	/* another house said no, or nothing */
	PT_E_MAIL,             /* a letter that had to go out at once was not taken */
	PT_E_HOOK_REFUSED,     /* a hook answered that it may not be */
	PT_E_HOOK_TIMEOUT,     /* ... gave no answer in time */
	PT_E_HOOK_UNREACHABLE, /* ... could not be connected to */
	PT_E_HOOK_BROKEN,      /* ... broke off in the middle */
	PT_E_HOOK_MALFORMED,   /* ... answered something that cannot be read */
	PT_E_STATE, /* sign-in elsewhere: the state is not ours, not this browser's, or old */
	PT_E_PROVIDER_EXCHANGE, /* ... the code was not exchanged for a token */
	PT_E_PROVIDER_PROFILE,  /* ... nobody with an address came back */
	PT_E_INVITE_MISMATCH,   /* ... somebody else came back than was invited */

	/* the shape of the request */
	PT_E_NOT_FOUND,
	PT_E_METHOD,
	PT_E_TOO_LARGE,
	PT_E_MEDIA_TYPE,

	/* we are full: nothing was done, the same request may succeed later */
	PT_E_BUSY,

	/* ours */
	PT_F_STORE = -1,  /* the store failed, or is away */
	PT_F_MEMORY = -2, /* out of memory, or a ceiling of ours was reached */
	PT_F_CRYPTO = -3, /* a crypto library refused what it must accept */
	PT_F_RANDOM = -4, /* no randomness: nothing may be issued */
	PT_F_IO = -5,     /* file or network */
	PT_F_CONFIG = -6, /* a setting, template or key that cannot be used */
	PT_F_RENDER = -7, /* an answer could not be made */
	PT_F_BUG = -8,    /* an invariant of ours did not hold */
} pt_err;

static inline bool pt_is_fault(pt_err err)
{
	return err < 0;
}

/* The name of an outcome, "PT_E_TAKEN". Never NULL. For logs and metrics, not for people. */
PT_API const char *pt_err_name(pt_err err);

#ifdef __cplusplus
}
#endif
#endif
