<?php
function wc_double_register_store_api() {}
