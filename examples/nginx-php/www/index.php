<?php
header("Content-Type: text/plain");
echo "Hello from PHP as ", get_current_user(), ", at ", $_SERVER["REQUEST_URI"], "\n";
