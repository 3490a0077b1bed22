/* The whole library, in reading order. */
#ifndef SIGNET_H
#define SIGNET_H

#include <signet/attributes.h>
#include <signet/version.h>
#include <signet/error.h>
#include <signet/span.h>
#include <signet/buffer.h>
#include <signet/id.h>
#include <signet/library.h>
#include <signet/card.h>
#include <signet/account.h>
#include <signet/login.h>
#include <signet/bundle.h>
#include <signet/session.h>
#include <signet/entry.h>

#endif
