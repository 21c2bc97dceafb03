/*
 * What pages are a little better with. Without this module everything works just the same.
 *
 * A form says that it is being sent, and is sent once. The button stays in the tab order and keeps the focus
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

/*
 * A button that shows what was typed into a password field, for as long as it is pressed in.
 */

const SVG = "http://www.w3.org/2000/svg";

const PATHS = [
	["", "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"],
	["", "M12 9.25a2.75 2.75 0 1 0 0 5.5 2.75 2.75 0 0 0 0-5.5z"],
	["slash", "M4 4l16 16"],
];

function eye() {
	const svg = document.createElementNS(SVG, "svg");

	svg.setAttribute("viewBox", "0 0 24 24");
	svg.setAttribute("aria-hidden", "true");
	svg.setAttribute("focusable", "false");
	for (const [name, line] of PATHS) {
		const path = document.createElementNS(SVG, "path");

		path.setAttribute("class", name);
		path.setAttribute("d", line);
		svg.append(path);
	}
	return svg;
}

function show(input, button, shown) {
	input.type = shown ? "text" : "password";
	button.setAttribute("aria-pressed", String(shown));
}

function reveal(secret) {
	const input = secret.querySelector("input");
	const button = document.createElement("button");

	button.type = "button";
	button.className = "reveal";
	button.setAttribute("aria-controls", input.id);
	button.setAttribute("aria-label", secret.dataset.show);
	button.title = secret.dataset.show;
	button.append(eye());
	show(input, button, false);
	/* Shown or not, nobody corrects, completes or learns what is typed here. */
	input.autocapitalize = "none";
	input.spellcheck = false;
	button.addEventListener("click", () => show(input, button, input.type === "password"));
	/* Browsers offer to save what was sent from a password field, and keep the text of others. */
	input.form.addEventListener("submit", () => show(input, button, false));
	addEventListener("pageshow", () => show(input, button, false));
	secret.classList.add("with-reveal");
	secret.append(button);
}

for (const secret of document.querySelectorAll(".secret"))
	reveal(secret);
