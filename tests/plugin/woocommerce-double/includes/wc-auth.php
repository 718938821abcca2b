<?php
function wc_double_register_authorisation() {}
