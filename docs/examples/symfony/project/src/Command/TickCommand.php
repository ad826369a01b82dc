<?php

namespace App\Command;

use PDO;
use Symfony\Component\Console\Attribute\AsCommand;
use Symfony\Component\Console\Command\Command;
use Symfony\Component\Console\Input\InputInterface;
use Symfony\Component\Console\Output\OutputInterface;

#[AsCommand(name: 'app:tick', description: 'Note that this command ran.')]
class TickCommand extends Command
{
    public function __construct(private PDO $database)
    {
        parent::__construct();
    }

    protected function execute(InputInterface $input, OutputInterface $output): int
    {
        $this->database->exec('INSERT INTO ticks (at) VALUES (UTC_TIMESTAMP())');
        return Command::SUCCESS;
    }
}
