"""What is built of a service: an image, a static site's files, or an archive of files."""
