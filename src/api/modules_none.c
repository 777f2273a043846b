/* SPDX-License-Identifier: Apache-2.0 */
/* The small build: nothing that needs a library. */
#include "api/api.h"

const struct modules modules = { 0 };
