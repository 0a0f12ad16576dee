"""What plugins import of neonup, beside the names of `neonup` itself.

==============  ==================================================================
module          what it has
==============  ==================================================================
`commands`      options, output and questions, as neonup's own commands have them
`doctor`        a line of ``neonup doctor``
`files`         replacing a file as a whole, or not at all
`locks`         locks on files, between processes, threads and forks
`machine`       servers of a plugin, for ``neonup list``, ``stop`` and ``prune``
`manager`       the plugin manager, for a plugin that calls hooks itself
`http`          requests to a service: sent blocking or awaited, repeated where that is safe
`options`       how options are declared
`postgres`      Postgres's client programs, and what they report
`project`       a project's settings, its recorded database, its lock, and state of a provider
`provisioning`  creating a database and recording it, in a command that is not a start
==============  ==================================================================

Everything else below ``neonup`` is private and changes without notice.
"""
