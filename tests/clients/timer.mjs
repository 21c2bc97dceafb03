/* gotrue-js 1 leaves half a minute's timer behind each refresh, for which nobody waits. */
const later = globalThis.setTimeout;

globalThis.setTimeout = (...given) => {
	const timer = later(...given);

	if (given[1] === 30000)
		timer.unref();
	return timer;
};
