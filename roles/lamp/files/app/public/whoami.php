<?php

declare(strict_types=1);

require dirname(__DIR__) . '/src/visits.php';

header('Content-Type: application/json');
header('Cache-Control: no-store');
try {
    echo json_encode(whoami() + ['visits' => count_visit()], JSON_UNESCAPED_SLASHES), "\n";
} catch (PDOException $error) {
    error_log($error->getMessage());
    http_response_code(503);
    echo json_encode(whoami() + ['visits' => null, 'error' => 'the database did not answer']), "\n";
}
