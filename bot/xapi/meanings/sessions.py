"""Sessions, rights, and calls that the toolstack cannot make sense of."""

from __future__ import annotations

from collections.abc import Mapping

from bot.xapi.meanings.meaning import BUG, Meaning, entry

_DIFFERENT_VERSION = "The pool's version may be older or newer than the bot expects."

TABLE: Mapping[str, tuple[Meaning, ...]] = {
    "SESSION_AUTHENTICATION_FAILED": entry(
        "", "The pool refuses the user name and password.", "Correct the password in the bot's configuration."
    ),
    "SESSION_AUTHORIZATION_FAILED": entry(
        "user reason",
        "The pool knows the user {user} but gives it no role ({reason}).",
        "Give the bot's user a role in the pool, pool-operator at least.",
    ),
    "SESSION_INVALID": entry("", "The session with the pool has ended.", "Ask again: the bot logs in anew."),
    "SESSION_NOT_REGISTERED": entry("", "The session is not registered for events.", "Ask again."),
    "HOST_IS_SLAVE": entry(
        "address", "The host that was asked is a member; the coordinator is {address}.", "Ask again: the bot follows."
    ),
    "RBAC_PERMISSION_DENIED": entry(
        "permission reason",
        "The bot's user may not do this in the pool: it lacks the permission {permission}.",
        "Give the bot's user a higher role in the pool; the pool says: {reason}",
        xe="subject-list",
    ),
    "PERMISSION_DENIED": entry(
        "reason", "The pool does not permit this: {reason}.", "Give the bot's user a higher role in the pool."
    ),
    "USER_IS_NOT_LOCAL_SUPERUSER": entry(
        "reason",
        "Only the host's root may do this ({reason}).",
        "Let the bot log in as root, or do it on the host itself.",
    ),
    "MESSAGE_METHOD_UNKNOWN": entry(
        "method", "The pool's version does not know the call {method}.", "Update the pool to a version that has it."
    ),
    "MESSAGE_PARAMETER_COUNT_MISMATCH": entry(
        "method expected received",
        "The pool's version takes the call {method} with {expected} arguments, not {received}.",
        _DIFFERENT_VERSION,
    ),
    "MESSAGE_REMOVED": entry("", "The pool's version no longer has this call.", _DIFFERENT_VERSION),
    "MESSAGE_DEPRECATED": entry("", "The pool's version no longer wants this call.", _DIFFERENT_VERSION),
    "Fault": entry("reason", "The pool cannot do this in the background: {reason}.", BUG),
    "NOT_IMPLEMENTED": entry("function", "The pool's version does not have {function}.", _DIFFERENT_VERSION),
    "HANDLE_INVALID": entry(
        "kind object",
        "{object} ({kind}) is not there any more.",
        "It was removed meanwhile, or replaced. Ask again to see what is there now.",
    ),
    "UUID_INVALID": entry(
        "kind object", "{object} ({kind}) is not there any more.", "It was removed meanwhile. Ask again."
    ),
    "OBJECT_NOLONGER_EXISTS": entry("", "The object is not there any more.", "It was removed meanwhile. Ask again."),
    "MAP_DUPLICATE_KEY": entry(
        "kind field object key",
        "{object} already has the key {key} in {field}.",
        "Somebody else has set it meanwhile. Ask again: the bot plans from what is there now.",
    ),
    "DB_UNIQUENESS_CONSTRAINT_VIOLATION": entry(
        "kind field value", "Another {kind} already has {value} as {field}.", "Choose another value."
    ),
    "INVALID_VALUE": entry("field value", "The pool does not take {value} for {field}.", _DIFFERENT_VERSION),
    "VALUE_NOT_SUPPORTED": entry(
        "field value reason", "The pool does not take {value} for {field}: {reason}.", _DIFFERENT_VERSION
    ),
    "FIELD_TYPE_ERROR": entry("field", "The pool does not understand the value for {field}.", BUG),
    "XMLRPC_UNMARSHAL_FAILURE": entry("expected received", "The pool does not understand a value of the call.", BUG),
    "INTERNAL_ERROR": entry(
        "reason",
        "The toolstack failed inside: {reason}.",
        "The coordinator's log, /var/log/xensource.log, says more about it.",
    ),
    "EVENT_FROM_TOKEN_PARSE_FAILURE": entry(
        "",
        "The pool does not know the place from which changes were to be told.",
        "Ask again: everything is read anew.",
    ),
    "EVENT_SUBSCRIPTION_PARSE_FAILURE": entry("", "The pool does not understand which changes were to be told.", BUG),
    "EVENTS_LOST": entry("", "The pool lost track of what it had reported.", "Ask again: everything is read anew."),
    "TOO_BUSY": entry("", "The pool is too busy at the moment.", "Wait a little and ask again."),
    "TOO_MANY_PENDING_TASKS": entry("", "Too many tasks are waiting in the pool.", see="pool status"),
    "TASK_CANCELLED": entry(
        "task", "The task was cancelled.", "Look at what was done until then, and ask again if it is still wanted."
    ),
    "OPERATION_NOT_ALLOWED": entry(
        "reason", "The pool does not allow this: {reason}.", "Mend what it names, then ask again."
    ),
    "OPERATION_PARTIALLY_FAILED": entry("operation", "Only a part of it was done: {operation}.", see="pool status"),
    "OTHER_OPERATION_IN_PROGRESS": entry(
        "kind object operation",
        "{object} is busy with another operation ({operation}).",
        "Wait for it to end, then ask again.",
        see="pool status",
    ),
    "CLIENT_ERROR": entry(
        "reason",
        "The toolstack failed to ask another host: {reason}.",
        "Check that the coordinator reaches the other host, then ask again.",
        see="host list",
    ),
    "SSL_VERIFY_ERROR": entry(
        "reason",
        "A host's certificate was not accepted inside the pool: {reason}.",
        "Check the clocks of the hosts and their certificates.",
        see="audit run",
    ),
    "TLS_CONNECTION_FAILED": entry(
        "address port",
        "No TLS connection from the pool to {address}, port {port}.",
        "Check the network between them, and what listens there.",
    ),
    "LICENCE_RESTRICTION": entry(
        "feature", "The pool's licence does not cover this ({feature}).", "License the hosts for it.", xe="host-list"
    ),
    "FEATURE_RESTRICTED": entry("", "The pool's licence does not cover this.", "License the hosts for it."),
    "LICENSE_EXPIRED": entry("", "The licence of a host has expired.", "Renew the licence."),
    "LICENSE_DOES_NOT_SUPPORT_POOLING": entry("", "The host's licence does not allow pools.", "Renew the licence."),
    "LICENSE_DOES_NOT_SUPPORT_XHA": entry("", "The licence does not cover high availability.", "Renew the licence."),
    "V6D_FAILURE": entry(
        "reason",
        "The host's licensing service failed ({reason}).",
        "Check the licence of that host; its /var/log/xensource.log says more about it.",
    ),
    "XENAPI_MISSING_PLUGIN": entry(
        "plugin", "The host does not have the plug-in {plugin}.", "Install it on the host, or do this by hand."
    ),
    "XENAPI_PLUGIN_FAILURE": entry(
        "status reason",
        "A plug-in on the host failed ({status}): {reason}.",
        "The host's /var/log/xensource.log says more about it.",
    ),
    "XAPI_HOOK_FAILED": entry(
        "hook reason",
        "A local script of the host ({hook}) failed: {reason}.",
        "Somebody has put that script under /etc/xapi.d on the host; mend it there.",
    ),
}
