"""Whether a website shows what its owner put there: pages, views, sitemap, files."""
