/*
 * refresh.pml - refresh tokens that rotate, in one family, as portress/token.h draws them.
 *
 * The rules are those of token_rotate in src/store (memory/tokens.c and sql/verbs_tokens.c do the
 * same); refresh.md says what the claims mean and what is left out. Run all rows below: script/model.
 *
 * Assumed of the world
 * - token_rotate is one act. (TWO_STEP takes that away: what was read may be old when it is acted upon.)
 * - A token yields one successor: successor(i) = i + 1. TOKENS of them are the horizon of a run.
 * - The clock is the age of a spent token, 0..GRACE; GRACE is the first age that is too late. One store
 *   clock: nodes whose clocks differ shorten or lengthen the window by the difference.
 * Assumed of an honest client
 * - Two tabs use one shared place for the token, or each keeps its own; a run chooses. Without a thief,
 *   the network may deliver any request a second time at any later moment.
 * - What a tab has asked, it asks until it hears an answer: a lost answer, a crash of the server after the
 *   act and a crash of the tab are all followed by asking again, and all copies of a request arrive, within
 *   the window. Tabs that keep their own follow each other within the window. (SLOW takes this away.)
 * - An answer replaces the shared token only if that is still the one that was asked with. (NAIVE: always.)
 * - With CALM a token is first presented when it is as old as the window: two rotations never fall
 *   into one window.
 * Assumed of a thief
 * - He copies once, at any moment, whatever a tab holds, has sent or is about to receive.
 * - Once the theft is a window old, neither presents anything within a window of the other's rotation.
 *   (SHADOW takes this away.)
 *
 * A row: verdict, claim, switches, what it says. A mutant or a lifted assumption must FAIL: it shows that
 * the claim can see.
 *
 * @holds 1 HONEST                    a family has at most one LIVE token, whatever clients do
 * @holds 1 THEFT                     the same with a thief
 * @holds 1 HONEST TWO_STEP           the same when the look may be old: the conditional update decides
 * @holds 2 HONEST                    honest tabs are never signed out by loss, doubles, crashes, each other
 * @holds 2 HONEST TWO_STEP           the same when the look may be old
 * @holds 2 HONEST CALM NAIVE         the same if the last answer wins in the shared place, once a window
 * @holds 3 THEFT                     past the window, thief and victim never both go on
 * @holds 4 HONEST SIGNOUT            nothing of a REVOKED family is accepted, a sign-out included
 * @holds 4 THEFT SIGNOUT             the same with a thief
 * @holds 4 HONEST SIGNOUT TWO_STEP   the same when the look may be old: the family's lock decides
 * @holds 5 HONEST                    what is handed out is LIVE
 * @holds 5 THEFT                     the same with a thief
 * @holds 5 HONEST TWO_STEP           the same when the look may be old: the LIVE token is read under the lock
 * @holds 6 THEFT                     who is refused knows that the family is dead: no thief keeps it
 *
 * Rules that would be less: two rotations in one window, and a copy of the first request.
 * @fails 2 HONEST ONE_STEP           only the successor, and theft if that is spent: ends an honest family
 * @holds 2 HONEST CALM ONE_STEP      ... unless no two rotations fall into one window
 * @fails 2 HONEST REFUSE             refusing without revoking: a tab with its own token is out
 * @fails 6 THEFT REFUSE              ... and a thief who rotates twice at once keeps the family, unseen
 *
 * Assumptions that are needed
 * @fails 2 HONEST CALM SLOW          asking again after the window is theft, as far as anyone can tell
 * @fails 2 HONEST NAIVE              a late answer overwrites a newer token in the shared place
 * @fails 3 THEFT SHADOW              a thief who keeps in step with the victim is never found
 *
 * Mutants
 * @fails 1 HONEST DRAW_AGAIN         a replay opens a successor drawn at random
 * @fails 1 HONEST TWO_STEP NO_CAS    spending does not ask whether it is still LIVE
 * @fails 2 HONEST CALM DRAW          the successor is drawn, so a replay cannot say the first one
 * @fails 2 HONEST CALM NO_GRACE      no window at all
 * @fails 3 THEFT NO_END              no end of the window: the parent of the LIVE token is always good
 * @fails 6 THEFT REVOKE_ONE          reuse ends the presented token instead of its family
 * @fails 4 THEFT SIGNOUT KEEP_ROWS   the window is judged before the revocation
 * @fails 4 HONEST SIGNOUT TWO_STEP NO_LOCK  the family is not asked again before writing
 * @fails 5 HONEST REPLAY_SPENT       a replay yields the successor though it is spent
 * @fails 5 HONEST TWO_STEP OLD_LOOK  the LIVE token is the one that was seen before the lock
 *
 * Sights: states that the model must be able to reach.
 * @fails 11 HONEST CALM              a token was presented twice and yielded the same successor
 * @fails 12 HONEST CALM              the whole chain was walked
 * @fails 15 HONEST                   a token left behind by two rotations yielded the LIVE one
 * @fails 13 THEFT                    a thief rotated, and the victim's next presentation revoked the family
 * @fails 14 THEFT                    a victim rotated, and the thief's next presentation revoked the family
 */
#ifndef CLAIM
#define CLAIM 0 /* one at a time, so that a mutant fails the claim that is meant */
#endif
#define PROMISE(n, condition) assert(CLAIM != (n) || (condition))

#if defined(THEFT) || defined(TWO_STEP)
#define TOKENS 4
#else
#define TOKENS 5
#endif
#define LAST (TOKENS - 1) /* the model's horizon: not presented any more */
#define GRACE 2
#define NIL 255

mtype = { NONE, LIVE, SPENT };
mtype = { GRANTED, REUSED, REFUSED };
mtype = { NOBODY, OWNER, THIEF };

/* ---- what the store holds ---- */

mtype state[TOKENS] = NONE;
byte age[TOKENS];	     /* since it was spent; stops at GRACE */
byte next[TOKENS] = NIL;     /* its successor, once it is spent */
mtype spender[TOKENS] = NOBODY; /* for the assumptions and sights only */
byte opened = 1;	     /* tokens that exist */
bool revoked = false;

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

/* What a mutant remembers of its look. */
#ifdef OLD_LOOK
#define SEEN_LIVE byte seen_live;
#else
#define SEEN_LIVE
#endif

#define box(tab) held[(shared -> 0 : (tab))]
#define live(t) (state[t] == LIVE)
#define lives (live(0) + live(1) + live(2) + live(3) + (TOKENS > 4 -> live(TOKENS - 1) : 0))
#define old_theft (stolen && theft_age == GRACE)

/* A tick now would make this copy too late. What the thief has spent, the owner cannot know of. */
#define due(t) ((t) != NIL && state[t] == SPENT && spender[t] == OWNER && age[t] == GRACE - 1)

#ifdef CALM
#define may_present(t) ((t) < LAST && ((t) == 0 || age[(t) - 1] == GRACE))
#else
#define may_present(t) ((t) < LAST)
#endif

#ifdef SHADOW
#define apart(who) true
#else
#define far(who, t) (state[t] != SPENT || spender[t] == (who) || age[t] == GRACE)
#define apart(who) (!old_theft || (far(who, 0) && far(who, 1) && far(who, 2)))
#endif

/* ---- token_rotate ---- */

inline look(t)
{
	saw = state[t];
	late = state[t] == SPENT && age[t] == GRACE;
	again = next[t] != NIL && state[next[t]] == SPENT;
#ifdef OLD_LOOK
	follow(t, seen_live);
#endif
}

/* The LIVE token of the family: whatever came after t was derived from it, and all but the last is SPENT. */
inline follow(t, found)
{
	found = t;
	do
	:: state[found] == SPENT -> found = next[found]
	:: else -> break
	od
}

inline revoke(who, t)
{
	printf("%e presents %d at age %d: REVOKED\n", who, t, age[t]);
	PROMISE(2, false);
	PROMISE(13, !(who == OWNER && spender[t] == THIEF));
	PROMISE(14, !(who == THIEF && spender[t] == OWNER));
	outcome = REUSED;
#ifdef REVOKE_ONE
	state[t] = NONE;
#else
	revoked = true;
#endif
}

inline open(t)
{
	next[t] = opened;
	state[opened] = LIVE;
	opened++;
	PROMISE(12, opened < TOKENS);
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
#ifdef NO_CAS
	if
	:: state[t] == SPENT -> state[next[t]] = LIVE	/* the same derived successor, put there again */
	:: else -> open(t)
	fi;
#else
	open(t);
#endif
	state[t] = SPENT;
	age[t] = 0;
	spender[t] = who;
	outcome = GRANTED;
	got = next[t];
	went_on(who, true)
}

inline rotate_again(who, t)
{
	if
#if defined(NO_GRACE)
	:: true -> revoke(who, t)
#elif defined(NO_END)
	:: again -> revoke(who, t)
#elif defined(ONE_STEP)
	:: late || again -> revoke(who, t)
#elif defined(REFUSE)
	:: late -> revoke(who, t)
	:: !late && again -> outcome = REFUSED
#else
	:: late -> revoke(who, t)
#endif
	:: else ->
		PROMISE(11, false);
#if defined(DRAW)
		outcome = REFUSED;
#elif defined(DRAW_AGAIN)
		opened < TOKENS;
		open(t);
		outcome = GRANTED;
		got = next[t];
#elif defined(REPLAY_SPENT)
		outcome = GRANTED;
		got = next[t];
#elif defined(OLD_LOOK)
		outcome = GRANTED;
		got = seen_live;
#else
		outcome = GRANTED;
		follow(t, got);
		PROMISE(15, got == next[t]);
#endif
		went_on(who, spender[t] != who)
	fi
}

inline act(who, t)
{
	outcome = REFUSED;
	got = NIL;
#ifndef NO_CAS
	if
	:: saw == LIVE && state[t] != LIVE -> look(t)	/* the update changed no row: look again */
	:: else
	fi;
#endif
	if
#ifdef KEEP_ROWS
	:: revoked && !(saw == SPENT && !late)
#elif !defined(NO_LOCK)
	:: revoked
#endif
	:: else ->
		if
		:: saw == LIVE -> rotate_live(who, t)
		:: saw == SPENT -> rotate_again(who, t)
		:: else
		fi
	fi;
	printf("%e presents %d at age %d: %e %d\n", who, t, age[t], outcome, got);
	PROMISE(1, lives <= 1);
	PROMISE(3, !(owner_went_on && thief_went_on));
	PROMISE(4, !(revoked && outcome == GRANTED));
	PROMISE(5, outcome != GRANTED || state[got] == LIVE);
	saw = NONE;
	late = false;
	again = false
}

inline rotate(who, t)
{
#ifdef TWO_STEP
	atomic {
		look(t);
#ifdef NO_LOCK
		if
		:: revoked -> saw = NONE
		:: else
		fi
#endif
	};
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
	mtype saw = NONE, outcome = REFUSED;
	bool late, again;
	byte got = NIL;
	SEEN_LIVE

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
	mtype saw = NONE, outcome = REFUSED;
	bool late, again;
	byte got = NIL;
	SEEN_LIVE

	do
	:: stray != NIL ->
		rotate(OWNER, stray);
		atomic { stray = NIL; got = NIL; outcome = REFUSED }
	od
}

proctype Thief()
{
	mtype saw = NONE, outcome = REFUSED;
	bool late, again;
	byte got = NIL, loot;
	SEEN_LIVE

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
			:: state[i] == SPENT && age[i] < GRACE -> age[i]++
			:: else
			fi;
			i++
		:: else -> break
		od;
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
		state[0] = LIVE;
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
	}
}
