/*
 * faulty_disk.c - SQLite's own file system with failures in the calls that change something.
 */
#include "faulty_disk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "base/banned.h"

struct faulty_file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct, in the same allocation */
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int left, failure;
static bool sticky, failed;

void faulty_disk_fail(int n, int rc, bool stays)
{
	pthread_mutex_lock(&lock);
	left = n;
	failure = rc;
	sticky = stays;
	failed = false;
	pthread_mutex_unlock(&lock);
}

bool faulty_disk_failed(void)
{
	bool was;

	pthread_mutex_lock(&lock);
	was = failed;
	pthread_mutex_unlock(&lock);
	return was;
}

static int step(void)
{
	int rc = SQLITE_OK;

	pthread_mutex_lock(&lock);
	if (left == 1) {
		rc = failure;
		failed = true;
	}
	if (left > 1 || (left == 1 && !sticky))
		left--;
	pthread_mutex_unlock(&lock);
	return rc;
}

static sqlite3_file *real(sqlite3_file *file)
{
	return ((struct faulty_file *)file)->real;
}

static int disk_close(sqlite3_file *file)
{
	return real(file)->pMethods->xClose(real(file));
}

static int disk_read(sqlite3_file *file, void *p, int n, sqlite3_int64 at)
{
	return real(file)->pMethods->xRead(real(file), p, n, at);
}

static int disk_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 at)
{
	int rc = step();

	return rc ? rc : real(file)->pMethods->xWrite(real(file), p, n, at);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int rc = step();

	return rc ? rc : real(file)->pMethods->xTruncate(real(file), size);
}

static int disk_sync(sqlite3_file *file, int flags)
{
	int rc = step();

	return rc ? rc : real(file)->pMethods->xSync(real(file), flags);
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real(file)->pMethods->xFileSize(real(file), size);
}

static int disk_lock(sqlite3_file *file, int kind)
{
	return real(file)->pMethods->xLock(real(file), kind);
}

static int disk_unlock(sqlite3_file *file, int kind)
{
	return real(file)->pMethods->xUnlock(real(file), kind);
}

static int disk_check(sqlite3_file *file, int *out)
{
	return real(file)->pMethods->xCheckReservedLock(real(file), out);
}

static int disk_control(sqlite3_file *file, int op, void *arg)
{
	return real(file)->pMethods->xFileControl(real(file), op, arg);
}

static int disk_sector(sqlite3_file *file)
{
	return real(file)->pMethods->xSectorSize(real(file));
}

static int disk_traits(sqlite3_file *file)
{
	return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int disk_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}

static int disk_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}

static void disk_shm_barrier(sqlite3_file *file)
{
	real(file)->pMethods->xShmBarrier(real(file));
}

static int disk_shm_unmap(sqlite3_file *file, int drop)
{
	return real(file)->pMethods->xShmUnmap(real(file), drop);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = disk_close,
	.xRead = disk_read,
	.xWrite = disk_write,
	.xTruncate = disk_truncate,
	.xSync = disk_sync,
	.xFileSize = disk_size,
	.xLock = disk_lock,
	.xUnlock = disk_unlock,
	.xCheckReservedLock = disk_check,
	.xFileControl = disk_control,
	.xSectorSize = disk_sector,
	.xDeviceCharacteristics = disk_traits,
	.xShmMap = disk_shm_map,
	.xShmLock = disk_shm_lock,
	.xShmBarrier = disk_shm_barrier,
	.xShmUnmap = disk_shm_unmap,
};

static int disk_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out)
{
	struct faulty_file *faulty = (struct faulty_file *)file;
	int rc;

	(void)self;
	faulty->real = (sqlite3_file *)(void *)(faulty + 1);
	rc = real_vfs->xOpen(real_vfs, name, faulty->real, flags, out);
	faulty->base.pMethods = faulty->real->pMethods ? &methods : NULL;
	return rc;
}

void faulty_disk_open(void)
{
	real_vfs = sqlite3_vfs_find(NULL);
	vfs = *real_vfs;
	vfs.zName = "faulty";
	vfs.szOsFile += (int)sizeof(struct faulty_file);
	vfs.xOpen = disk_open;
	if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
		abort();
}
