/*
 * A form says that it is being sent, and is sent once.
 *
 * Without this module forms work just the same. The button stays in the tab order and keeps the focus
 * (aria-disabled, not disabled), so that a screen reader is not thrown to the top of the page.
 */

/* After this long somebody has stopped the page or lost the network, and may try again. */
const PATIENCE = 15_000;

const sent = new WeakSet();

function busy(form) {
	const button = form.querySelector("button[type=submit]");

	sent.add(form);
	form.setAttribute("aria-busy", "true");
	setTimeout(() => idle(form), PATIENCE);
	if (!button)
		return;
	button.setAttribute("aria-disabled", "true");
	if (button.dataset.busy) {
		button.dataset.idle = button.textContent;
		button.textContent = button.dataset.busy;
	}
}

function idle(form) {
	const button = form.querySelector("button[type=submit]");

	sent.delete(form);
	form.removeAttribute("aria-busy");
	if (!button)
		return;
	button.removeAttribute("aria-disabled");
	if (button.dataset.idle) {
		button.textContent = button.dataset.idle;
		delete button.dataset.idle;
	}
}

document.addEventListener("submit", (event) => {
	if (sent.has(event.target))
		event.preventDefault();
	else if (!event.defaultPrevented)
		busy(event.target);
});

/* Back brings the page as it was left: in the middle of being sent. */
addEventListener("pageshow", (event) => {
	if (event.persisted)
		for (const form of document.forms)
			idle(form);
});

/* A secret that came in the address is in its form now; the address bar and history need not keep it. */
if (document.querySelector("form[data-clean-url]") && location.search)
	history.replaceState(history.state, "", location.pathname);
