/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GB_TOOL_H
#define GB_TOOL_H

/* The programs of the image: one file, which does what its name says. As main: they return the
 * exit code. */
int gb_claim_main(int argc, char **argv);
int gb_verify_main(int argc, char **argv);
int gb_diag_main(int argc, char **argv);

#endif
