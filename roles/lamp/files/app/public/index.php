<?php

declare(strict_types=1);

require dirname(__DIR__) . '/src/visits.php';

header('Cache-Control: no-store');
$facts = whoami();
try {
    $visits = number_format(count_visit());
} catch (PDOException $error) {
    error_log($error->getMessage());
    http_response_code(503);
    $visits = 'not counted: the database did not answer';
}
$rows = [
    'Server' => $facts['server'],
    'Tier' => $facts['tier'],
    'Your address' => $facts['client'],
    'Visits' => $visits,
    'Release' => basename(dirname(__DIR__)),
    'PHP' => PHP_VERSION,
];
?>
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title><?= htmlspecialchars($facts['server']) ?> is here</title>
<link rel="stylesheet" href="style.css">
</head>
<body>
<main>
  <p class="tier"><?= htmlspecialchars($facts['tier']) ?> tier</p>
  <h1><?= htmlspecialchars($facts['server']) ?> is here</h1>
  <p>Your request went through the balancer to this server. Reload the page, and the balancer may choose another.</p>
  <dl>
<?php foreach ($rows as $name => $value): ?>
    <div><dt><?= $name ?></dt><dd><?= htmlspecialchars((string) $value) ?></dd></div>
<?php endforeach ?>
  </dl>
  <p class="note">The same for programs: <a href="whoami.php">whoami.php</a>. For the balancer: <a href="healthz">healthz</a>.</p>
</main>
</body>
</html>
