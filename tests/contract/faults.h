/*
 * faults.h - strings for the test build's hooks.
 */
#ifndef TESTS_CONTRACT_FAULTS_H
#define TESTS_CONTRACT_FAULTS_H

#include <stdbool.h>

/* Maps a control file that this program writes itself. */
bool faults_prepare(void);

#endif
