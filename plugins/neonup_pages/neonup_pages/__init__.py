"""What neonup's pages on this machine share: the local Neon's console, and the studio.

Rendered here, they work without scripts, load nothing from another host, and answer to no page from
elsewhere. An application renders its own templates with `look`, reads forms with `forms`, and puts
`guard.Guard` in front.
"""
