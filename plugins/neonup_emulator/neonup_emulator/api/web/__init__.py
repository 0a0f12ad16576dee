"""What all pages share: who is signed in, how forms are protected, how a page is made."""
