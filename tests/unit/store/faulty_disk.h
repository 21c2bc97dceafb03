/*
 * faulty_disk.h - a disk that fails when told, beneath SQLite.
 */
#ifndef TESTS_UNIT_STORE_FAULTY_DISK_H
#define TESTS_UNIT_STORE_FAULTY_DISK_H

#include <stdbool.h>

/* Becomes SQLite's default file system. Before anything is opened. */
void faulty_disk_open(void);

/* The n-th write, sync or truncation from now answers rc (SQLITE_FULL, SQLITE_IOERR_FSYNC ...), and
 * with `sticky` every later one; n = 0 mends the disk. */
void faulty_disk_fail(int n, int rc, bool sticky);

/* Did it fail since it was last told? */
bool faulty_disk_failed(void);

#endif
