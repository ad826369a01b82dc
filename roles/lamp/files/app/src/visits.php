<?php

declare(strict_types=1);

/** Counts a visit and returns how many there were. Throws PDOException when the database cannot be asked. */
function count_visit(): int
{
    $options = [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_TIMEOUT => 3];
    if ($authorities = getenv('DB_SSL_CA')) { // a managed database accepts connections with TLS only
        $options += [PDO::MYSQL_ATTR_SSL_CA => $authorities, PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => true];
    }
    $database = new PDO(
        sprintf('mysql:host=%s;dbname=%s;charset=utf8mb4', getenv('DB_HOST'), getenv('DB_NAME')),
        getenv('DB_USER'),
        getenv('DB_PASSWORD'),
        $options,
    );
    $count = 'INSERT INTO visits (id, visits) VALUES (1, LAST_INSERT_ID(1))'
        . ' ON DUPLICATE KEY UPDATE visits = LAST_INSERT_ID(visits + 1)';
    try {
        $database->exec($count);
    } catch (PDOException $error) {
        if ($error->getCode() !== '42S02') { // there is no such table
            throw $error;
        }
        $database->exec('CREATE TABLE IF NOT EXISTS visits (id TINYINT PRIMARY KEY, visits BIGINT NOT NULL)');
        $database->exec($count);
    }
    return (int) $database->lastInsertId();
}

/** What both pages tell of the server that answers and the visitor that asks. */
function whoami(): array
{
    return [
        'server' => getenv('SERVER') ?: gethostname(),
        'tier' => getenv('TIER') ?: '',
        'client' => $_SERVER['REMOTE_ADDR'],
    ];
}
