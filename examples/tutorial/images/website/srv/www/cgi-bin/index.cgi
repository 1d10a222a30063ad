#!/bin/sh
# The only page. busybox httpd runs it for `/`.
printf 'Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\r\n'
cat <<PAGE
<!DOCTYPE html>
<title>website</title>
<h1>website:v1</h1>
<p>Served by pod $(hostname)</p>
PAGE
