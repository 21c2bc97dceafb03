/*
 * refresh.pml - refresh tokens that rotate, in one family, as portress/token.h draws them.
 *
 * The rules are those of token_rotate in src/store (memory/tokens.c and sql/verbs_tokens.c do the
 * same); refresh.md says what the claims mean and what is left out. Run all rows below: script/model.
 *
 * Assumed of the world
 * - token_rotate is one act. (TWO_STEP takes that away: what was read may be old when it is acted upon.)
 * - Who presents a token was given it: its number cannot be raised. (NO_MAC takes this away.)
 *   TOKENS of them are the horizon of a run.
 * - The clock is the age of a spent token, 0..GRACE; GRACE is the first age that is too late. One store
 *   clock: nodes whose clocks differ shorten or lengthen the window by the difference.
 * Assumed of an honest client
 * - Two tabs use one shared place for the token, or each keeps its own; a run chooses. Without a thief,
 *   the network may deliver any request a second time at any later moment.
 * - What a tab has asked, it asks until it hears an answer: a lost answer, a crash of the server after the
 *   act and a crash of the tab are all followed by asking again, and all copies of a request arrive, within
 *   the window. Tabs that keep their own follow each other within the window. (SLOW takes this away.)
 * - An answer replaces the shared token only if that is still the one that was asked with. (NAIVE: always.)
 * - With PACE no more than SPENT_MOST rotations fall into one window; with CALM no two of them do.
 * Assumed of a thief
 * - He copies once, at any moment, whatever a tab holds, has sent or is about to receive.
 * - Once the theft is a window old, neither presents anything within a window of the other's rotation.
 *   (SHADOW takes this away.)
 *
 * A row: verdict, claim, switches, what it says. A mutant or a lifted assumption must FAIL: it shows that
 * the claim can see.
 *
 * @holds 1 HONEST                    a token is spent once and for ever, whatever clients do
 * @holds 1 THEFT                     the same with a thief
 * @holds 1 HONEST TWO_STEP NO_LOCK   the same when the look may be old: the conditional update is enough
 * @holds 1 HONEST TWO_STEP NO_CAS    the same: so is the lock
 * @holds 2 HONEST PACE               honest tabs are never signed out by loss, doubles, crashes, each other
 * @holds 2 HONEST PACE TWO_STEP      the same when the look may be old
 * @holds 2 HONEST CALM NAIVE         the same if the last answer wins in the shared place, once a window
 * @holds 3 THEFT                     past the window, thief and victim never both go on
 * @holds 4 HONEST SIGNOUT            nothing of a REVOKED family is accepted, a sign-out included
 * @holds 4 THEFT SIGNOUT             the same with a thief
 * @holds 4 HONEST SIGNOUT TWO_STEP   the same when the look may be old: the family's lock decides
 * @holds 5 HONEST                    what is handed out is LIVE
 * @holds 5 THEFT                     the same with a thief
 * @holds 5 HONEST TWO_STEP           the same when the look may be old: the number is read under the lock
 * @holds 6 THEFT                     who is refused knows that the family is dead: no thief keeps it
 *
 * Rules that would be less: two rotations in one window, and a copy of the first request.
 * @fails 2 HONEST PACE ONE_STEP      a list of one: an honest family ends
 * @holds 2 HONEST CALM ONE_STEP      ... unless no two rotations fall into one window
 * @fails 2 HONEST PACE REFUSE        refusing without revoking: a tab with its own token is out
 * @fails 6 THEFT REFUSE              ... and a thief who rotates twice at once keeps the family, unseen
 * @fails 6 THEFT FORGET              what is beyond the list is unknown: a thief who fills it is not seen
 * @fails 3 THEFT FORGIVE             what is beyond the list is good: an old copy is good for ever
 *
 * A key changes: what was made under the old one is known again only while it is the LIVE token.
 * @holds 1 HONEST NEW_KEY            a token is still spent once and for ever
 * @holds 3 THEFT NEW_KEY             thief and victim still never both go on
 * @holds 5 HONEST NEW_KEY            what is handed out is still LIVE
 * @fails 2 HONEST CALM NEW_KEY       ... but who asks again with what was made under the old one is refused
 * @fails 6 THEFT NEW_KEY             ... and so is the victim of a theft from before, unseen
 *
 * Assumptions that are needed
 * @fails 2 HONEST                    more rotations in one window than the list is long
 * @fails 2 HONEST CALM SLOW          asking again after the window is theft, as far as anyone can tell
 * @fails 2 HONEST PACE NAIVE         a late answer overwrites a newer token in the shared place
 * @fails 3 THEFT SHADOW              a thief who keeps in step with the victim is never found
 * @fails 3 THEFT NO_MAC              who holds an old token makes the LIVE one of it
 *
 * Mutants
 * @fails 1 HONEST WIND_BACK          a replay makes its own successor the LIVE one again
 * @fails 1 HONEST TWO_STEP NO_LOCK NO_CAS  an old look, and the update does not ask whether it still holds
 * @fails 4 HONEST SIGNOUT TWO_STEP NO_LOCK  a replay is answered after the family has ended
 * @fails 5 HONEST TWO_STEP NO_LOCK   a replay is answered with what was LIVE before
 * @fails 2 HONEST CALM DRAW          a secret for each token, so a replay cannot say the first answer
 * @fails 2 HONEST CALM NO_GRACE      no window at all
 * @fails 2 HONEST PACE OLDEST_FIRST  the list is read from its other end
 * @fails 3 THEFT NO_END              no end of the window: the parent of the LIVE token is always good
 * @fails 6 THEFT NO_ALARM            reuse is refused, and its family lives on
 * @fails 4 THEFT SIGNOUT KEEP_ROW    a REVOKED family keeps its row, and a replay does not look whether it is
 * @fails 5 HONEST REPLAY_SPENT       a replay yields the successor though it is spent
 *
 * Sights: states that the model must be able to reach.
 * @fails 11 HONEST CALM              a token was presented twice and yielded the same successor
 * @fails 12 HONEST CALM              the whole horizon was walked
 * @fails 13 THEFT                    a thief rotated, and the victim's next presentation revoked the family
 * @fails 14 THEFT                    a victim rotated, and the thief's next presentation revoked the family
 * @fails 15 HONEST                   a token left behind by two rotations yielded the LIVE one
 * @fails 16 HONEST                   a token beyond the list revoked the family within its grace
 */
#ifndef CLAIM
#define CLAIM 0 /* one at a time, so that a mutant fails the claim that is meant */
#endif
#define PROMISE(n, condition) assert(CLAIM != (n) || (condition))

#if defined(THEFT) || defined(TWO_STEP) || defined(NEW_KEY)
#define TOKENS 4
#else
#define TOKENS 5
#endif
#define LAST (TOKENS - 1) /* the model's horizon: not presented any more */
#define GRACE 2
#define NIL 255

#ifdef ONE_STEP
#define SPENT_MOST 1
#else
#define SPENT_MOST 2
#endif
#define PACE_MOST 2	/* the list, as it should be */

mtype = { GRANTED, REUSED, REFUSED };
mtype = { NOBODY, OWNER, THIEF };

/* ---- what the store holds: one record ---- */

byte generation = 0;	 /* of the LIVE token: lower is SPENT */
byte spent[2] = GRACE;	 /* how long ago generation - 1, generation - 2 were; stops at GRACE, as good as not there */
bool revoked = false;	 /* there is none */
byte proven = 0;	 /* the first number whose MAC is of the key of now */

/* ---- what nobody holds, for the assumptions, claims and sights only ---- */

byte rotations = 0;
byte age[TOKENS];	 /* since it was spent; stops at GRACE */
mtype spender[TOKENS] = NOBODY;

/* ---- what the honest client holds ---- */

bool shared;	    /* one place for both tabs: held[0] */
byte held[2];	    /* what a tab would present next */
byte asked[2] = NIL;  /* what it has presented without hearing an answer yet */
byte told[2] = NIL;   /* the answer on its way */
byte stray = NIL;   /* a second copy of a request, somewhere on the network */

/* ---- what the thief did ---- */

bool stolen = false;
byte theft_age;
/* Got something that he did not have, from an act after the theft was a window old. */
bool owner_went_on = false;
bool thief_went_on = false;

#define box(tab) held[(shared -> 0 : (tab))]
#define is_spent(t) ((t) < generation)
#define behind(t) (generation - (t))	/* rotations since */
#define beyond(t) (behind(t) > SPENT_MOST)
#define known(t) ((t) >= proven || (t) == generation)
#define old_theft (stolen && theft_age == GRACE)

/* A tick now would make this copy too late. What the thief has spent, the owner cannot know of. */
#define due(t) ((t) != NIL && is_spent(t) && spender[t] == OWNER && age[t] == GRACE - 1)

/* Nothing that is still good falls off a list that long when t is spent. */
#define room(t, most) ((t) < (most) || age[(t) - (most)] == GRACE)

#if defined(CALM)
#define may_present(t) ((t) < LAST && room(t, 1))
#elif defined(PACE)
#define may_present(t) ((t) < LAST && room(t, PACE_MOST))
#else
#define may_present(t) ((t) < LAST)
#endif

#ifdef SHADOW
#define apart(who) true
#else
#define far(who, t) (!is_spent(t) || spender[t] == (who) || age[t] == GRACE)
#define apart(who) (!old_theft || (far(who, 0) && far(who, 1) && far(who, 2)))
#endif

/* ---- token_rotate ---- */

#ifdef OLDEST_FIRST
#define spent_of(t) spent[SPENT_MOST - behind(t)]
#else
#define spent_of(t) spent[behind(t) - 1]
#endif

inline look(t)
{
	seen = generation;
	gone = revoked;
	late = is_spent(t) && (beyond(t) || spent_of(t) == GRACE)
}

inline revoke(who, t)
{
	printf("%e presents %d at age %d: REVOKED\n", who, t, age[t]);
	PROMISE(2, false);
	PROMISE(13, !(who == OWNER && spender[t] == THIEF));
	PROMISE(14, !(who == THIEF && spender[t] == OWNER));
	PROMISE(16, age[t] == GRACE);
	outcome = REUSED;
#ifdef NO_ALARM
	outcome = REFUSED;
#else
	revoked = true;
#endif
}

inline went_on(who, news)
{
	if
	:: old_theft && news && who == OWNER -> owner_went_on = true
	:: old_theft && news && who == THIEF -> thief_went_on = true
	:: else
	fi
}

/* LIVE -> SPENT, here and nowhere else. */
inline rotate_live(who, t)
{
	generation = t + 1;
	spent[1] = spent[0];
	spent[0] = 0;
	rotations++;
	age[t] = 0;
	spender[t] = who;
	outcome = GRANTED;
	got = generation;
	went_on(who, true);
	PROMISE(12, generation < LAST)
}

inline rotate_again(who, t)
{
	if
#if defined(NO_GRACE)
	:: true -> revoke(who, t)
#elif defined(NO_END)
	:: behind(t) > 1 -> revoke(who, t)
#elif defined(REFUSE)
	:: late -> revoke(who, t)
	:: !late && behind(t) > 1 -> outcome = REFUSED
#elif defined(FORGET)
	:: late && !beyond(t) -> revoke(who, t)
	:: beyond(t) -> outcome = REFUSED
#elif defined(FORGIVE)
	:: late && !beyond(t) -> revoke(who, t)
#else
	:: late -> revoke(who, t)
#endif
	:: else ->
		PROMISE(11, false);
#if defined(DRAW)
		outcome = REFUSED;
#elif defined(WIND_BACK)
		generation = t + 1;
		outcome = GRANTED;
		got = generation;
#elif defined(REPLAY_SPENT)
		outcome = GRANTED;
		got = t + 1;
#else
		outcome = GRANTED;
		got = seen;
#endif
		PROMISE(15, got == t + 1);
		went_on(who, spender[generation - 1] != who)
	fi
}

inline act(who, t)
{
	outcome = REFUSED;
	got = NIL;
#ifndef NO_LOCK
	look(t);	/* the look that has the lock is the one that counts */
#endif
#ifndef NO_CAS
	if
	:: t == seen && (generation != seen || revoked) ->
		look(t)	/* the update changed no row: that is a fault, and who asked asks again */
	:: else
	fi;
#endif
	if
#ifdef KEEP_ROW
	:: gone && !(t < seen && !late)
#else
	:: gone
#endif
	:: !gone && !known(t)
	:: else ->
		if
		:: t == seen -> rotate_live(who, t)
		:: t < seen -> rotate_again(who, t)
		:: else
		fi
	fi;
	printf("%e presents %d at age %d: %e %d\n", who, t, age[t], outcome, got);
	PROMISE(1, generation == rotations);
	PROMISE(3, !(owner_went_on && thief_went_on));
	PROMISE(4, !(revoked && outcome == GRANTED));
	PROMISE(5, outcome != GRANTED || got == generation);
	seen = 0;
	gone = false;
	late = false
}

inline rotate(who, t)
{
#ifdef TWO_STEP
	atomic { look(t) };
	atomic { act(who, t) }
#else
	atomic {
		apart(who);
		look(t);
		act(who, t)
	}
#endif
}

/* ---- who asks ---- */

proctype Tab(bit tab)
{
	mtype outcome = REFUSED;
	bool gone, late;
	byte seen, got = NIL;

ask:
	atomic {
		outcome = REFUSED;
		may_present(box(tab));
		asked[tab] = box(tab);
		printf("tab %d: asks with %d\n", tab, asked[tab]);
#ifndef THEFT
		if
		:: stray == NIL -> stray = asked[tab]
		:: true
		fi
#endif
	};
resend:
	rotate(OWNER, asked[tab]);
	atomic {
		told[tab] = got;
		got = NIL
	};
	if
	:: atomic { printf("tab %d: lost\n", tab); told[tab] = NIL; goto resend }	/* lost, or the server died after the act */
	:: atomic {					/* the tab died and is opened again */
		told[tab] = NIL;
		printf("tab %d: died\n", tab);
		if
		:: box(tab) == asked[tab] -> goto resend
		:: else -> asked[tab] = NIL; goto ask
		fi
	   }
	:: atomic {
		outcome == GRANTED ->
		if
#ifdef NAIVE
		:: shared
#else
		:: shared && held[0] == asked[tab]
#endif
			-> held[0] = told[tab]
		:: !shared -> held[tab] = told[tab]
		:: else
		fi;
		asked[tab] = NIL;
		told[tab] = NIL;
		goto ask
	   }
	:: atomic {
		outcome != GRANTED ->
		if
		:: shared && !revoked && held[0] != asked[tab] && held[0] < LAST ->
			asked[tab] = held[0];	/* another tab knows better */
			goto resend
		:: else
		fi;
		asked[tab] = NIL;
		PROMISE(2, false);
		PROMISE(6, revoked)
	   }
	fi
}

proctype Network()
{
	mtype outcome = REFUSED;
	bool gone, late;
	byte seen, got = NIL;

	do
	:: stray != NIL ->
		rotate(OWNER, stray);
		atomic { stray = NIL; got = NIL; outcome = REFUSED }
	od
}

proctype Thief()
{
	mtype outcome = REFUSED;
	bool gone, late;
	byte seen, got = NIL, loot;

	atomic {
		if
		:: loot = box(0)
		:: loot = box(1)
		:: asked[0] != NIL -> loot = asked[0]
		:: asked[1] != NIL -> loot = asked[1]
		:: told[0] != NIL -> loot = told[0]
		:: told[1] != NIL -> loot = told[1]
		fi;
		stolen = true;
		printf("thief copies %d\n", loot)
	};
	do
	:: loot < LAST ->
#ifdef NO_MAC
		atomic { apart(THIEF) && generation < LAST -> loot = generation };
#endif
		rotate(THIEF, loot);
		if
		:: outcome == GRANTED -> loot = got
		:: else -> break
		fi
	od
}

/* token_revoke, a new password, an account that is closed: the family is gone. */
proctype Signout()
{
	revoked = true
}

/* Successors are made under the new one. */
proctype NewKey()
{
	proven = generation + 1
}

proctype Clock()
{
	byte i;

	do
	:: d_step {
#ifndef SLOW
		!(due(asked[0]) || due(asked[1]) || due(stray) ||
			(!shared && (due(held[0]) || due(held[1])))) ->
#else
		true ->
#endif
		i = 0;
		do
		:: i < TOKENS ->
			if
			:: is_spent(i) && age[i] < GRACE -> age[i]++
			:: else
			fi;
			i++
		:: else -> break
		od;
		spent[0] = (spent[0] < GRACE -> spent[0] + 1 : GRACE);
		spent[1] = (spent[1] < GRACE -> spent[1] + 1 : GRACE);
		i = 0;
		printf("tick\n");
		if
		:: stolen && theft_age < GRACE -> theft_age++
		:: else
		fi
	   }
	od
}

init {
	atomic {
		if
		:: shared = true
		:: shared = false
		fi;
		run Tab(0);
		run Tab(1);
		run Clock();
#ifdef THEFT
		run Thief();
#else
		run Network();
#endif
#ifdef SIGNOUT
		run Signout();
#endif
#ifdef NEW_KEY
		run NewKey();
#endif
	}
}
