/*
 * The same wishes in the settings of a plain `portress serve`: the dialect is the same, the store is
 * Portress's own, and where its defaults are stricter than the original's they are taken back.
 */
const names = {
	WEB_SERVER_ADDRESS: 'URL', LISTEN_ADDRESS: 'LISTEN', TRUSTED_PROXIES: 'TRUSTED_PROXIES', HASH_KEY: 'KEYS_ROOT',
	SMTP_HOST: 'SMTP_HOST', SMTP_PORT: 'SMTP_PORT', EMAIL_SENDER: 'MAIL_FROM', EMAIL_REPLY_TO: 'MAIL_REPLY_TO',
	REQUIRE_FIRST_AND_LAST_NAME: 'SIGNUP_NAMES_REQUIRED', BCRYPT_COST: 'HASH_BCRYPT_COST', USE_CSRF: 'CSRF',
	USE_JWT_AUTH: 'JWT_ON', JWT_SECRET: 'JWT_SECRET', REFRESH_TOKEN_SECRET: 'JWT_REFRESH_SECRET',
	USE_RECAPTCHA: 'CAPTCHA_ON', RECAPTCHA_SITE_KEY: 'CAPTCHA_SITE_KEY', RECAPTCHA_SECRET_KEY: 'CAPTCHA_SECRET',
	RECAPTCHA_VERIFY_URL: 'CAPTCHA_VERIFY_URL', IDENTORO_PROFILE: 'PROFILE', JAIL: 'JAIL',
};

/* Names without a counterpart: the keys and kinds that only the original knows. */
const gone = ['DB_TYPE', 'SECRET_KEY'];

const gentle = { PORTRESS_PASSWORD_MIN: '6', PORTRESS_PASSWORD_BLOCKLIST: 'false', PORTRESS_HASH_SCHEME: 'bcrypt',
	PORTRESS_SIGNUP_SENT_PAGE: 'false', PORTRESS_SIGNIN_WITH_EMAIL: 'false', PORTRESS_JWT_REFRESH_GRACE: '0s' };

function translate(name, value) {
	if (name === 'DATABASE_URL')
		return ['PORTRESS_DATABASE', value.includes('://') ? value : `sqlite:${value}`];
	if (name === 'SIGNIN_DELAY_MS')
		return ['PORTRESS_SIGNIN_DELAY', `${value}ms`];
	return [name in names ? `PORTRESS_${names[name]}` : name, value];
}

export function plainSettings(settings) {
	const kept = Object.entries(settings).filter(([name]) => !gone.includes(name));

	return { ...gentle, ...Object.fromEntries(kept.map(([name, value]) => translate(name, value))) };
}
