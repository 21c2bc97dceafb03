/*
 * notify.h - telling the service manager how we are (sd_notify(3)).
 */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

/* "READY=1", "STOPPING=1". Without a manager: nothing. */
void notify(const char *state);

/* RELOADING=1 with the moment, as systemd wants it. READY follows when it is done. */
void notify_reloading(void);

/* Before the root directory changes: connects, so that later words find their way. */
void notify_open(void);

#endif
