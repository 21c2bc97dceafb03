/*
 * look.h - templates, texts and files to be served: built in, or an operator's in their place.
 *
 * The operator's folder is laid out as templates/ is; each file there replaces ours. The six pages of
 * Identoro (home.html and so on, directly in the folder, in Go's template language) stand beside ours
 * under "own/".
 */
#ifndef SERVER_LOOK_H
#define SERVER_LOOK_H

#include "base/template.h"
#include "surface/surface.h"

enum { LOOK_ASSETS = 16 };

struct look {
	struct arena *arena;
	struct template_set *templates;
	const struct value *texts;
	struct surface_asset assets[LOOK_ASSETS];
	size_t n_assets;
};

/* folder "": ours alone. PT_F_CONFIG: one log line names the file, the line and what is wrong. */
PT_CHECK pt_err look_open(pt_str folder, struct look **out);
/* NULL is fine. */
void look_close(struct look *look);

#endif
